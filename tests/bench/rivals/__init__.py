"""What the Flow is compared with: each file is a program of its own."""
