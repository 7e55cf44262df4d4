"""After the click: upload, row, training, pictures."""
