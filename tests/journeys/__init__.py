"""Whole journeys: the development stack as everybody starts it, its own processes, and what they live through."""
