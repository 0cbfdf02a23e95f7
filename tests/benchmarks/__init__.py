"""How fast gradlab is, beside every peer that is installed: `python -m tests.benchmarks`.

Each peer runs in a process of its own; rounds take turns, so that other programs disturb all alike.
"""
