"""How pages come to life: `literate/`, and the pages themselves."""
