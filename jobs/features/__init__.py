"""Feature sets that rows define: reading, making and retiring them."""
