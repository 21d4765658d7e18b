# %% [markdown]
# # Proofs
#
# Each part that this book builds from scratch is run beside the implementation that the field uses, with the same random weights and the same inputs. The code below made the table while this site was built. It gives the number of values compared, and the largest absolute difference between two of them. All differences come from rounding: the same sums are added up in another order. Where a part returns token ids or text, the two must be equal.

# %%
from proofs import table

table()
