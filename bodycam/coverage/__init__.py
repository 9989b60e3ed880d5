"""What should be there and is not: debts with a name and a deadline, and the ends of shifts that close or open them."""
