"""Makes data/*.csv: offers to the customers of a shop that nobody has, their visits, and a price list that was corrected. Only the standard
library, so the files are the same everywhere. Times are local, New York and Berlin, with their offset: the clocks changed on 10 and 31 March 2024."""

import csv
import math
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

random.seed(11)
START = datetime(2024, 1, 1, tzinfo=timezone.utc)
DAYS, CUSTOMERS = 120, 300
ZONES = [ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")]


def moment(days):
    return START + timedelta(seconds=int(86400 * days))


def write(name, header, rows):
    with open(f"data/{name}.csv", "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


zone = {c: ZONES[c % 2] for c in range(CUSTOMERS)}
eager = {c: random.gauss(0, 1) for c in range(CUSTOMERS)}

visits = []
for c in range(CUSTOMERS):
    t = 0.0
    while (t := t + random.expovariate(0.12 * math.exp(0.7 * eager[c]))) < DAYS:
        visits.append((moment(t), c, 1 + int(random.expovariate(0.4))))
visits.sort()
write("visits", ["at", "visitor", "pages"], [(t.astimezone(zone[c]).isoformat(), f"c{c:03d}", pages) for t, c, pages in visits])

# A price holds from a day on. It is published the evening before; every fifth one is wrong and corrected two days later.
prices = []
for product in range(5):
    price = 20.0 + 8 * product
    for week in range(DAYS // 7 + 1):
        price = round(price * random.uniform(0.93, 1.09), 2)
        day = START + timedelta(days=7 * week + product)
        published = day - timedelta(hours=6)
        wrong = (week + product) % 5 == 0
        prices.append((f"p{product}", day, published, round(price * 10, 2) if wrong else price))
        if wrong:
            prices.append((f"p{product}", day, day + timedelta(days=2), price))
prices.sort(key=lambda p: p[2])
write("prices", ["product", "valid_from", "published", "price"], [(p, v.isoformat(), k.isoformat(), x) for p, v, k, x in prices])

# An offer is taken up within a week; the order counts from then on.
coming = []
offers, spent, orders = [], dict.fromkeys(range(CUSTOMERS), 0.0), dict.fromkeys(range(CUSTOMERS), 0)
for n in range(3000):
    t = DAYS * n / 3000 + random.random() * 0.02
    c, product = random.randrange(CUSTOMERS), random.randrange(5)
    now = moment(t)
    for order in [o for o in coming if o[0] <= now]:
        coming.remove(order)
        spent[order[1]] += order[2]
        orders[order[1]] += 1
    lately = sum(1 for at, who, _ in visits if who == c and now - timedelta(days=7) < at <= now)
    price = [x for p, v, k, x in prices if p == f"p{product}" and v <= now and k <= now and x < 200]
    each = spent[c] / orders[c] if orders[c] else 15
    z = -1.6 + 0.55 * lately + 0.03 * (each - 25) + 0.4 * eager[c] - 0.02 * ((price or [30])[-1] - 35)
    taken = random.random() < 1 / (1 + math.exp(-z))
    offers.append((now.astimezone(zone[c]).isoformat(), f"c{c:03d}", f"p{product}", round(spent[c], 2), orders[c], int(taken)))
    if taken:
        coming.append((now + timedelta(days=random.uniform(0.1, 7)), c, random.uniform(10, 60)))
write("offers", ["at", "customer", "product", "spent", "orders", "taken"], offers)
