"""Starting from a state instead of from genesis: fetched in parts from several peers, each part proved by itself.

messages    what nodes say to each other about states
manifest    a final header, why it is final, and the cut of its state: everything that the parts are checked against
held        the states that a node serves: snapshots of its store at heights that all nodes choose alike
fetching    which peer is asked for what, and what is believed: pure, events in, actions out
joining     runs it: a network, a store, and `join`, which a node calls before it starts
"""
