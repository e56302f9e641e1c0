"""The rules: what may be recorded. Each looks at the state, then refuses with a reason or names the effects.

A rule is a function `(call, operation) -> Effects | Refusal` and changes nothing itself. The double-financing rule is
`claims.overfull`; who may do what is the table in `roles`; which state follows which is the tables in `transitions`.
"""
