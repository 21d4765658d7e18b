"""Solutions of the lab: wrong ones, which fail their check, and right ones."""

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
LISTED = {
    "hidden": " and not p.name.startswith('.')",
    "lower": ".lower()",
    "check": "if not images: raise ValueError(name)",
    "label": "label",
}


def listed(**changes: str) -> str:
    """The right list, but for something."""
    return LIST.format_map(LISTED | changes)


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
        """
        to_numbers = [
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([mean], [std]),
        ]
        turn = v2.RandomRotation(30)  # too far
        return v2.Compose([turn, *to_numbers]), v2.Compose(to_numbers)
        """,
        """
        to_numbers = [
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([mean], [std]),
        ]
        turn = v2.RandomRotation((0, 10))  # one way only
        return v2.Compose([turn, *to_numbers]), v2.Compose(to_numbers)
        """,
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

RIGHT = {
    1: [
        """
        import os

        classes = sorted(
            entry.name
            for entry in os.scandir(root)
            if entry.is_dir() and not entry.name.startswith(".")
        )
        paths, labels = [], []
        for number, name in enumerate(classes):
            names = [
                file
                for file in sorted(os.listdir(root / name))
                if file.lower().endswith(SUFFIXES) and file[0] != "."
            ]
            if len(names) == 0:
                raise ValueError(f"{name}: no images")
            paths.extend(root / name / file for file in names)
            labels.extend([number] * len(names))
        return paths, labels, classes
        """,
        """
        folders = sorted(
            (f for f in root.glob("[!.]*") if f.is_dir()), key=lambda f: f.name
        )
        found = {
            folder.name: sorted(
                (p for p in folder.glob("[!.]*") if p.suffix.lower() in SUFFIXES),
                key=lambda p: p.name,
            )
            for folder in folders
        }
        if empty := [name for name, images in found.items() if not images]:
            raise ValueError(f"no images: {', '.join(empty)}")
        paths = [path for images in found.values() for path in images]
        labels = [list(found).index(path.parent.name) for path in paths]
        return paths, labels, list(found)
        """,
        """
        classes = [p.name for p in root.iterdir() if p.is_dir() and p.name[0] != "."]
        classes.sort()
        pairs = []
        for label, name in enumerate(classes):
            before = len(pairs)
            for path in (root / name).iterdir():
                hidden = path.name.startswith(".")
                if not hidden and path.suffix.lower() in SUFFIXES:
                    pairs.append((label, path.name, path))
            if len(pairs) == before:
                raise ValueError("class " + name + " is empty")
        pairs.sort(key=lambda pair: pair[:2])
        return [p for _, _, p in pairs], [label for label, _, _ in pairs], classes
        """,
    ],
    2: [
        """
        try:
            image = Image.open(path).convert("RGBA")  # which loads
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{path}: {error}") from error
        paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
        paper.alpha_composite(image)
        return paper.convert("L")
        """,
        """
        try:
            with path.open("rb") as file:
                image = Image.open(file)
                image.load()
        except Exception:
            raise ValueError(f"no image: {path.name}") from None
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        return paper.convert("L")
        """,
        """
        import io

        try:
            image = Image.open(io.BytesIO(path.read_bytes())).convert("LA")
        except Exception as error:
            raise ValueError(f"{path.name}: {error}") from error
        gray, alpha = (np.asarray(part).astype(float) for part in image.split())
        mixed = gray * alpha / 255 + 255 - alpha
        return Image.fromarray(mixed.round().astype(np.uint8))
        """,
    ],
    3: [
        """
        class Numbers:
            def __call__(self, image):
                x = torch.from_numpy(np.array(image)).float()[None] / 255
                return (x - mean) / std

        turn = v2.RandomRotation(degrees=(-10, 10))
        return v2.Compose([turn, Numbers()]), Numbers()
        """,
        """
        common = v2.Compose(
            [
                v2.PILToTensor(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(mean=(mean,), std=(std,)),
            ]
        )
        bilinear = v2.InterpolationMode.BILINEAR
        return v2.Compose([v2.RandomAffine(10, interpolation=bilinear), common]), common
        """,
        """
        numbers = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]
        norm = v2.Normalize([mean], [std])
        turned = v2.Compose([*numbers, v2.RandomRotation(10), norm])
        return turned, v2.Compose([*numbers, norm])
        """,
    ],
    4: [
        """
        path, label = self.paths[index], self.labels[index]
        return self.transform(read_gray(path)), label
        """,
        """
        if index >= len(self):
            raise IndexError(f"index {index} of {len(self)}")
        with read_gray(self.paths[index]) as image:
            return self.transform(image), int(self.labels[index])
        """,
        """
        return (self.transform(read_gray(self.paths[index])), self.labels[index])
        """,
    ],
    5: [
        """
        paths, labels, _ = find_files(root)
        order = sorted(range(len(paths)), key=lambda n: int(paths[n].stem))
        size = len(paths) - int(round(len(paths) * share))
        parts = order[:size], order[size:]
        values = torch.stack(
            [torch.from_numpy(np.array(read_gray(paths[n]))) for n in parts[0]]
        )
        values = values.float() / 255
        both = pipelines(values.mean().item(), values.std().item())
        return tuple(
            FileDataset([paths[n] for n in part], [labels[n] for n in part], pipeline)
            for part, pipeline in zip(parts, both, strict=True)
        )
        """,
        """
        paths, labels, _ = find_files(root)
        label_of = dict(zip(paths, labels, strict=True))
        paths = sorted(paths, key=lambda path: path.stem)
        held = round(share * len(paths))
        train, validation = paths[:-held], paths[-held:]
        sums = np.zeros(3)
        for path in train:
            x = np.asarray(read_gray(path)) / 255
            sums += (x.size, x.sum(), (x**2).sum())
        mean = sums[1] / sums[0]
        std = (sums[2] / sums[0] - mean**2) ** 0.5
        training, evaluation = pipelines(mean, std)
        return (
            FileDataset(train, [label_of[p] for p in train], training),
            FileDataset(validation, [label_of[p] for p in validation], evaluation),
        )
        """,
        """
        paths, labels, _ = find_files(root)
        numbers = np.array([int(path.stem) for path in paths])
        last = np.sort(numbers)[len(numbers) - round(share * len(numbers))]
        late = numbers >= last
        plain = pipelines(0.0, 1.0)[1]
        some = [p for p, is_late in zip(paths, late, strict=True) if not is_late]
        values = torch.cat([plain(read_gray(path)).flatten() for path in some])
        made = []
        for which, pipeline in zip((~late, late), pipelines(
            float(values.mean()), float(values.std(correction=0))
        ), strict=True):
            chosen = np.flatnonzero(which)
            own = [paths[n] for n in chosen], [labels[n] for n in chosen]
            made.append(FileDataset(*own, pipeline))
        return made[0], made[1]
        """,
    ],
}
