"""OUTBUILDING: the part of the backup that stays on hosts and on the vault.

Standard library only, Python 3.6 syntax, nothing of the controller's. It is installed as one file
(``/usr/local/lib/luytre/backup.pyz``), because timers run it while the controller is away.
"""
