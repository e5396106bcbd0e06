"""One file a topic; read top to bottom it says: controls, compute, pictures, code."""
