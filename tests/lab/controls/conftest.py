"""Which of the stories are told here."""

import os

# Emulated, it takes a quarter of an hour on a quiet machine.
collect_ignore = [] if os.environ.get("LUYTRE_TEST_KERNEL") else ["test_own_kernel.py"]
