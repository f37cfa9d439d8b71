"""A plan, a route, a price and a payment in words."""
