"""OneRoster 1.2 CSV in its Japanese profiles: the tables, the checker, the reader and the writer.

Sources: 1EdTech OneRoster 1.2 CSV Binding; Japan K-12/Schools Profile v1.0; 相互運用標準モデル V6.00 (V3–V5 accepted).
Pure: works on an open binary file, touches nothing else.
"""
