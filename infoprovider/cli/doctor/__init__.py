"""The doctor, `infoprovider check --deep`: looks at every layer, and tells causes apart from what follows from them.

Each module looks at one layer and tells what it sees there, whatever the others see; `diagnosis.py` leaves out what
another finding explains, by the table of `kinds.py`.
"""
