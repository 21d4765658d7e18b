"""Wrong solutions of the lab that run: each must fail the check of its task."""

LIST = """
classes = sorted(p.name for p in root.iterdir() if p.is_dir(){hidden})
paths, labels = [], []
for label, name in enumerate(classes):
    images = [
        path
        for path in sorted((root / name).iterdir(), key=lambda path: path.name)
        if path.suffix{lower} in SUFFIXES and not path.name.startswith(".")
    ]
    {check}
    paths += images
    labels += [{label}] * len(images)
return paths, labels, classes
"""
RIGHT = {
    "hidden": " and not p.name.startswith('.')",
    "lower": ".lower()",
    "check": "if not images: raise ValueError(name)",
    "label": "label",
}


def listed(**changes: str) -> str:
    """The right list, but for something."""
    return LIST.format_map(RIGHT | changes)


READ = """
try:
    with Image.open(path) as image:
        {load}
except {errors} as error:
    raise ValueError(f"{name} cannot be read: {{error}}") from error
image = image.convert("RGBA")
white = Image.new("RGBA", image.size, "{paper}")
return Image.alpha_composite(white, image).convert("L")
"""
READER = {
    "load": "image.load()",
    "errors": "Exception",
    "name": "{path.name}",
    "paper": "white",
}

NUMBERS = "v2.ToDtype(torch.float32, scale=True), v2.Normalize([mean], [std])"

PARTS = """
paths, labels, _ = find_files(root)
pairs = {pairs}
cut = len(pairs) - round(share * len(pairs))
train, validation = pairs[:cut], pairs[cut:]
gray = [np.asarray(read_gray(path)).ravel() for path, _ in {measured}]
unit = np.concatenate(gray) / 255
training, evaluation = pipelines(float(unit.mean()), float(unit.std()))
return (
    FileDataset([p for p, _ in train], [y for _, y in train], {first}),
    FileDataset([p for p, _ in validation], [y for _, y in validation], {second}),
)
"""
SPLIT = {
    "pairs": "sorted(zip(paths, labels), key=lambda pair: pair[0].stem)",
    "measured": "train",
    "first": "training",
    "second": "evaluation",
}

WRONG = {
    1: [
        listed(hidden=""),
        listed(lower=""),
        listed(check=""),
        listed(check="if not images: raise ValueError('no images')"),
        listed(label="int(name)"),
        """
        classes = sorted(p.name for p in root.iterdir() if p.is_dir())  # no suffixes
        paths = [path for name in classes for path in sorted((root / name).iterdir())]
        return paths, [classes.index(path.parent.name) for path in paths], classes
        """,
        """
        names = [p.name for p in root.iterdir() if not p.name.startswith(".")]
        classes = sorted(names, key=int)  # as numbers
        paths, labels = [], []
        for label, name in enumerate(classes):
            images = sorted(
                p
                for p in (root / name).iterdir()
                if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
            )
            if not images:
                raise ValueError(name)
            paths += images
            labels += [label] * len(images)
        return paths, labels, classes
        """,
    ],
    2: [
        READ.format_map(READER | {"paper": "black"}),
        READ.format_map(READER | {"errors": "Image.UnidentifiedImageError"}),
        READ.format_map(READER | {"name": "a file"}),
        "return Image.open(path).convert('L')",
        """
        try:
            with Image.open(path) as image:
                return image.convert("L")  # drops what is transparent
        except Exception as error:
            raise ValueError(path.name) from error
        """,
        """
        try:
            with Image.open(path) as image:
                image.load()
        except Exception as error:
            raise ValueError(path.name) from error
        return Image.fromarray(np.asarray(image).reshape(8, 8, -1)[:, :, 0])  # palette
        """,
    ],
    3: [
        f"""
        both = v2.Compose([v2.RandomRotation(10), v2.ToImage(), {NUMBERS}])
        return both, both
        """,
        f"""
        both = v2.Compose([v2.ToImage(), {NUMBERS}])
        return both, both
        """,
        """
        steps = [v2.ToImage(), v2.ToDtype(torch.float32), v2.Normalize([mean], [std])]
        return v2.Compose([v2.RandomRotation(10), *steps]), v2.Compose(steps)
        """,
        """
        steps = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
        return v2.Compose([v2.RandomRotation(10), *steps]), v2.Compose(steps)
        """,
        f"""
        steps = [v2.ToImage(), {NUMBERS}]
        return v2.Compose([v2.RandomRotation(180), *steps]), v2.Compose(steps)
        """,
        f"""
        steps = [v2.Grayscale(3), v2.ToImage(), {NUMBERS}]
        return v2.Compose([v2.RandomRotation(10), *steps]), v2.Compose(steps)
        """,
    ],
    4: [
        "return self.transform(read_gray(self.paths[index])), self.labels[index - 1]",
        "return self.transform(read_gray(self.paths[index])), str(self.labels[index])",
        """
        label = torch.tensor(self.labels[index])
        return self.transform(read_gray(self.paths[index])), label
        """,
        """
        index %= len(self)  # never ends
        return self.transform(read_gray(self.paths[index])), self.labels[index]
        """,
        """
        if not hasattr(self, "kept"):  # one version of each image for ever
            self.kept = {}
        if index not in self.kept:
            self.kept[index] = self.transform(read_gray(self.paths[index]))
        return self.kept[index], self.labels[index]
        """,
    ],
    5: [
        PARTS.format_map(SPLIT | {"pairs": "list(zip(paths, labels))"}),
        PARTS.format_map(SPLIT | {"measured": "pairs"}),
        PARTS.format_map(SPLIT | {"first": "evaluation"}),
        PARTS.format_map(SPLIT | {"second": "training"}),
        PARTS.format_map(
            SPLIT
            | {"pairs": "sorted(zip(sorted(paths, key=lambda p: p.stem), labels))"}
        ),
        PARTS.format_map(SPLIT).replace("train, validation =", "validation, train ="),
        PARTS.format_map(SPLIT).replace("pairs[cut:]", "pairs"),
    ],
}
