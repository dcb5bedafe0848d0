"""Writes data/tumours.csv: the breast cancer data of Wolberg, Street and Mangasarian (UCI, CC BY 4.0), which scikit-learn ships."""

from sklearn.datasets import load_breast_cancer

data = load_breast_cancer(as_frame=True)
frame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
frame.insert(0, "sample", range(len(frame)))
frame["malignant"] = (data.target == 0).astype(int)
frame.to_csv("data/tumours.csv", index=False)
