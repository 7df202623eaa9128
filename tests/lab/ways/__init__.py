"""SSH to real hosts: logins and conversations."""
