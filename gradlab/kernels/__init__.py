"""How fast: turning scalar rules into array functions, and the loops that NumPy cannot express."""
