"""A broker's orders given to its backup adapter, and given back."""
