"""The README's two pictures, from those that `make test-browser` left in build/screens."""
from pathlib import Path
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SCREENS, IMAGES = ROOT/'build'/'screens', ROOT/'nbs'/'images'
PATH = 'prompt datasets generate curate model train evaluate demo'.split()
SIZE = 1032, 720


def frame(name):
    "A panel on a white ground, cut below."
    panel, ground = Image.open(SCREENS/f'{name}_light.png').convert('RGB'), Image.new('RGB', SIZE, 'white')
    ground.paste(panel)
    return ground.quantize(64, dither=Image.Dither.NONE)


def main():
    first, *rest = map(frame, PATH)
    first.save(IMAGES/'walkthrough.gif', save_all=True, append_images=rest, duration=2500, loop=0, optimize=True)
    Image.open(SCREENS/'evaluate_light.png').convert('RGB').quantize(128).save(IMAGES/'evaluate.png', optimize=True)
    for path in sorted(IMAGES.iterdir()): print(f'{path.relative_to(ROOT)}, {path.stat().st_size/1000:,.0f} kB')


if __name__ == '__main__': main()
