"""What tests share: a machine of their own, terminals, what the store really holds, and system calls that fail."""
