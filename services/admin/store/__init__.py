"""What admin keeps in SQL: tables, migrations, transactions, and the rows that every change leaves behind."""
