"""Message schemas -> C structs with parse and write."""


def files(folder):
    return {}
