"""Damaged files for every reader: what is damaged, how, and what must be true of what comes out.

damage.py      one seeded change after the other to bytes, text, tables, JSON
originals.py   whole files to begin with: real ones where LEADLIGHT_DATA is set, made ones elsewhere
targets.py     the readers: how each is called; invariants.py: what must hold of what it accepts
judging.py     one input: verdict, CPU seconds, memory

Run by ``tests/fuzz`` on a few inputs, by ``benchmarks/fuzz.py`` on very many. Input number n of
a target follows from the seed, the target's name and n alone.
"""
