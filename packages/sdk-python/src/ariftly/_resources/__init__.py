"""One group of methods a kind of object; one method a route."""
