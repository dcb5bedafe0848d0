"""Writes data/digits.csv: 1,797 handwritten digits of 8 x 8 pixels (UCI, CC BY 4.0), which scikit-learn ships."""

from sklearn.datasets import load_digits

data = load_digits(as_frame=True)
frame = data.data.astype(int).rename(columns=lambda name: name.replace("pixel_", "p").replace("_", ""))
frame.insert(0, "image", range(len(frame)))
frame["digit"] = data.target
frame.to_csv("data/digits.csv", index=False)
