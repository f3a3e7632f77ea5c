"""What the pages share: the shell, typed state, caches, forms, charts, formatting and messages."""
