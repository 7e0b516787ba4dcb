"""What the Flow is measured against: each file is a program of its own."""
