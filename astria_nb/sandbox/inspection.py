def inspect(path, filename, name):
    return {"name": name}


def inspect_url(url, name):
    return {"name": name}
