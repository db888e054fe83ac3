"""The rules of integrated community care, in plain Python.

Time and identity arrive as arguments; nothing here knows a framework, a table or a request.
"""
