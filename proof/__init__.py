"""``make proof``: what only a real Redshift can prove, on a workgroup of its own: docs/proof/README.md.

Never deployed. The checks are tests (``tests/redshift``); this package creates what they need and deletes it.
"""
