"""Who decides what is final: rules and arguments in README.md, the contract with a runner in events.py."""
