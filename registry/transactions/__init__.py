"""Transactions: the signed envelope and the operations in it, one small module per family.

`envelope` opens and drafts transactions, `operations` knows every operation by name, `fields` reads one field.
"""
