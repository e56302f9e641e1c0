"""Several claims on one receivable: who comes first, whom to pay, what a ban on assignment does, under each law.

Nothing here is legal advice: every rule names its source and how sure we are of it (`registry.md` 10).
"""
