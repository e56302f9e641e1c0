"""One seed, one run, one thread: engines in a virtual world, and what must hold there whatever happens."""
