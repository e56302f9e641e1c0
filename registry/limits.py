"""Every bound of the registry in one place. Whatever arrives or grows is limited by one of these."""

from __future__ import annotations

from typing import Final

# Transactions
WIRE_BYTES_MAX: Final = 512 * 1024  # one transaction with its signatures
SIGNERS_MAX: Final = 4  # parties that sign one transaction (a take-out needs three)
OPERATIONS_MAX: Final = 1000  # operations of one transaction
# What one transaction may read, in units that are the same on every node: one for each record and each comparison of
# two alike, more along links, for what is decoded first and for long lists (`state.State`), and for each relative that
# a claim changes. By process time of one core a unit takes 0.6 to 1.5 us: the costliest found, 1000 `ask_contact` over
# 80 lists of 255, ends after 0.4 s. A batch of 256 invoices that are like each other in three kinds of fingerprint is
# 0.18 million units, 0.2 s.
WORK_MAX: Final = 400_000
# And what one block may: no transaction begins in it that could lead beyond. So the first always fits, and the slowest
# block takes, reckoned so, 0.9 s of one core. 10,000 invoices that are like nothing else are 0.19 million units.
BLOCK_WORK_MAX: Final = WORK_MAX + WORK_MAX // 2
NONCE_BYTES: Final = 16
VALIDITY_MAX_MS: Final = 3_600_000  # how far `valid_until_ms` may lie ahead of the block's time: one hour
TIME_MAX_MS: Final = 2**48  # about the year 10889; keeps every sum of times far below 2**63

# Authorities and nodes
EVIDENCE_BYTES_MAX: Final = 512  # two votes
INCLUSION_RECEIPTS_MAX: Final = 22  # f + 1 of 64 authorities
VERSION_MAX: Final = 65_535  # of the protocol
HEIGHT_MAX: Final = 2**53 - 1
UPGRADE_NOTICE_MIN: Final = 10  # heights between the decision and the first block of another version
UPGRADE_NOTICE_MAX: Final = 10_000_000
NODES_MAX: Final = 320  # nodes let in, of authorities and observers

# Parties
ATTESTATIONS_MAX: Final = 32  # attestations that count of one party

# Receivables
FINGERPRINTS_MAX: Final = 80  # of one registration; all that `fingerprint.Particulars` can yield fit
LAWS_MAX: Final = 8  # candidate governing laws of one registration
REFERENCES_MAX: Final = 16  # commitments to external references of one registration
PARENTS_MAX: Final = 8  # links of one registration
CHILDREN_MAX: Final = 128  # receivables linked to one parent
UNLINKED_MAX: Final = 16  # records that corrections of one registration have cut it off from
LINEAGE_DEPTH_MAX: Final = 8  # receivables in a chain of links, both ends included
FAMILY_MAX: Final = 256  # receivables connected by links in any direction: what one check may have to read
MATCHES_MAX: Final = 512  # matches of one receivable that is funded
MATCHES_BY_MAX: Final = 32  # of these, registered by one party that has nothing to do with it
COLLECTED_MAX: Final = 32  # of these, what was paid on the parts of it
PRINT_HOLDERS_BY_MAX: Final = 256  # receivables of one registrant that one fingerprint lists: `rules.listing`
PRINT_HOLDERS_MAX: Final = 2 * PRINT_HOLDERS_BY_MAX  # of all registrants together
HOLDERS_READ_MAX: Final = FINGERPRINTS_MAX * PRINT_HOLDERS_BY_MAX  # compared with in one search for matches

# Claims
CLAIMS_MAX: Final = 64  # claims ever offered on one receivable
HOLDERS_MAX: Final = 16  # holders of one claim, one after the other
RESERVATION_MAX_MS: Final = 15 * 60 * 1000  # longest reservation: 15 minutes
EXTERNAL_CLAIMS_MAX: Final = 64  # claims outside that stand on one receivable
EXTERNAL_CLAIMS_BY_MAX: Final = 8  # of these by one party; so many places each are kept for registrant and debtor
EXTERNAL_LOOKED_AT_MAX: Final = 256  # claims outside, on a receivable and its lineage, that funding must acknowledge

# Disputes
DISPUTES_OPEN_MAX: Final = 32  # open disputes on one receivable by strangers to it, and as many by who stands in it
DISPUTES_LOOKED_AT_MAX: Final = 64  # disputes that run on a receivable and its lineage, that funding must acknowledge
RUNGS_MAX: Final = 8  # rungs of a rule-book
# Filings
FILINGS_MAX: Final = 32  # official filings ever recorded of one claim by one of its holders
CONTINUATIONS_MAX: Final = 32  # of one official filing: 160 years of UCC-1
# Notices
NOTICES_BY_MAX: Final = 16  # notices ever sent of one claim by one party: its assignor, or one of its holders
# Facilities
BLANKETS_MAX: Final = 16  # blankets over one seller's receivables that stand at one time
ACKNOWLEDGED_MAX: Final = MATCHES_MAX + EXTERNAL_LOOKED_AT_MAX + DISPUTES_LOOKED_AT_MAX + BLANKETS_MAX  # in one funding
BLANKET_DEBTORS_MAX: Final = 64  # debtors that one blanket lists
BLANKET_TERM_MAX_MS: Final = 30 * 366 * 86_400_000  # longest blanket: 30 years, the longest term of Zhongdeng

# Contacts
CONTACT_WAITS_MS: Final = 14 * 24 * 60 * 60 * 1000  # how long a contact waits for an answer: 14 days
CONTACTS_ABOUT_MAX: Final = 32  # asked about one receivable in that time
CONTACTS_BY_MAX: Final = 64  # asked for by one party in that time
CONTACT_STEPS_MAX: Final = CLAIMS_MAX + 2  # the question, and answers; an order comes on top

# Receipts
RELATED_MAX: Final = 64  # ids listed in one receipt; the first ones in order stand for the rest

# Certificates
SEARCH_MAX: Final = 256  # fingerprints of one search
