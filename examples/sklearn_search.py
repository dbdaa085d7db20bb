"""A neural network inside scikit-learn: scaling, a grid search with cross-validation, and a score on held-out rows.

Needs scikit-learn: pip install "lamina[sklearn]". The data are measurements of 569 breast tumours.

python examples/sklearn_search.py
"""

from lamina.sklearn import LaminaClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x, y = load_breast_cancer(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)

pipeline = make_pipeline(StandardScaler(), PCA(10), LaminaClassifier(epochs=20, random_state=0))
grid = {"laminaclassifier__hidden": [(16,), (64,), (32, 32)], "laminaclassifier__lr": [1e-3, 1e-2]}
search = GridSearchCV(pipeline, grid, cv=3).fit(x_train, y_train)

accuracy = search.score(x_test, y_test)
print(", ".join(f"{name.split('__')[1]} {value}" for name, value in search.best_params_.items()))
print(f"held-out accuracy {accuracy:.1%} (at least 93%)")
assert accuracy >= 0.93
