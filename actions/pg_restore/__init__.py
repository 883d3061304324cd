"""The dump restored beside the platform's database, and put in its place; the old one kept until it is dropped."""
