"""What people see: errors, tables, progress."""
