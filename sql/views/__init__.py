"""What people ask of the tables, as views: one file each, in the order of their numbers."""
