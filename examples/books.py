# %% [markdown]
# # A catalogue from a file, and lists from it
#
#     export HEADRACE_API_KEY=$(cat .headrace/api_key)
#     .venv/bin/python examples/books.py
#
# Or open it in an editor that knows `# %%` cells, and run them one by one.

# %%
import os
import time
from pathlib import Path

from headrace.client import Catalogue, Headrace

HERE = Path(__file__).parent
address = os.environ.get("HEADRACE_ADDRESS", "127.0.0.1:50051")
key = os.environ["HEADRACE_API_KEY"]
headrace = Headrace(address, api_key=key)
catalogue = Catalogue(address, api_key=key)

# %% [markdown]
# The file has a header; categories are paths, several parted by `|`. Lines that cannot be used are
# reported, the others are stored.

# %%
with (HERE / "books.csv").open("rb") as file:
    report = catalogue.upload(file)
print(f"stored {report.stored}, refused {report.refused}")
for path, items in catalogue.categories("Books").items():
    print(f"  {path}: {items}")

# %% [markdown]
# From the moment of the answer they can be searched, slips of the finger included. Lists have them
# a moment later, once the item CNN has read them.

# %%
BOOKS = {"category": {"one_of": ["Books"]}}
found = catalogue.find("frankenstien", filter=BOOKS)
print("did you mean:", found.corrected_query, [one.item.title for one in found.items])

while len(headrace.recommend(n=16, filter=BOOKS).items) < 16:
    time.sleep(0.1)

# %% [markdown]
# A reader nobody knows looks at two books. The next list waits for the second click, and says why.

# %%
reader = f"reader-{time.time_ns()}"
headrace.record_event(reader, "book-1", "click")
click = headrace.record_event(reader, "book-2", "click")
books = headrace.recommend(reader, n=5, after=click, filter=BOOKS, explain=True)
for item in books.items:
    why = item.explanation.because if item.explanation else ()
    causes = ", ".join(cause.title for cause in why)
    print(f"  {item.score:.3f} {item.title}" + (f" (because of {causes})" if causes else ""))

# %% [markdown]
# Only what costs less than 8 EUR, one of each category, and lists of several readers in one stream.

# %%
cheap = {"all": [BOOKS, {"price": {"currency": "EUR", "lt": 800}}]}
for item in headrace.recommend(reader, n=4, filter=cheap, max_per_category=1).items:
    print(" ", item.title, item.categories)

for one in headrace.recommend_many([reader, "somebody new"], n=3, filter=BOOKS):
    print(f"{one.user_id}: {[item.title for item in one.items]}")

# %%
headrace.close()
catalogue.close()
