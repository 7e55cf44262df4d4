"""What follows a click on Submit: upload, row, training, pictures."""
