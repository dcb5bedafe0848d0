"""Makes data/customers.csv: 10,000 customers of a subscription that nobody has. Only the standard library, so the file is the same everywhere."""

import csv
import math
import random

random.seed(7)
with open("data/customers.csv", "w", newline="", encoding="utf-8") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(["customer", "months", "plan", "autopay", "logins", "tickets", "late_payments", "leaves"])
    for n in range(1, 10_001):
        months = int(random.expovariate(1 / 18)) + 1
        plan = random.choices(["basic", "family", "student"], [60, 25, 15])[0]
        autopay = random.random() < 0.6
        logins = int(random.gammavariate(2, 5))
        tickets = int(random.expovariate(1 / 0.5))
        late = 0 if autopay else int(random.expovariate(1 / 0.7))
        z = -0.4 - 0.05 * months - 0.22 * logins + 2.2 * tickets + 1.6 * late + 0.8 * (plan == "student") - 0.6 * autopay + random.gauss(0, 0.5)
        leaves = random.random() < 1 / (1 + math.exp(-z))
        # A login count is missing where the customer uses the app of a partner.
        out.writerow([f"c{n:05d}", months, plan, str(autopay).lower(), "" if random.random() < 0.04 else logins, tickets, late, str(leaves).lower()])
