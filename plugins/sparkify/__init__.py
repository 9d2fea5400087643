"""Sparkify's warehouse: the operators, the two database engines and the tools around them."""
