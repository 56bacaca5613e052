"""Make the bundled sets that come from a program, and measure the cards of all.

    python bench/make_sets.py           write data files, bring `rows` and `bytes` of every card up to date
    python bench/make_sets.py --check   write nothing; exit 1 if a file differs from what would be written

Given up on purpose: relative dates ("next Friday"), day and month in an order that only a country could tell
(English 03/04/2021), two-digit years. No two inputs of a set share more than 60 % of their character 5-grams, so a
held-out row is not a copy of a training row.
"""
import csv, datetime, io, json, random, sys
from pathlib import Path
from make_texts import MAKERS

SETS = Path(__file__).resolve().parent.parent/'p2m_nb'/'sets'

# ---------------------------------------------------------------- dates
MONTHS = dict(
    en='January February March April May June July August September October November December'.split(),
    fr='janvier février mars avril mai juin juillet août septembre octobre novembre décembre'.split())
SHORT = dict(en='Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(),
             fr='janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.'.split())
DAYS = dict(en='Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(),
            fr='lundi mardi mercredi jeudi vendredi samedi dimanche'.split(), zh='一二三四五六日')
HAN = '〇一二三四五六七八九'

def ordinal(n): return f"{n}{'th' if 10 < n < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
def han_number(n): return ('' if n < 10 else '十' if n < 20 else HAN[n//10] + '十') + (HAN[n % 10] if n % 10 else '')

EN_FORMS = [
    lambda d, m, s, w: f'{d.day} {m} {d.year}', lambda d, m, s, w: f'{m} {d.day}, {d.year}',
    lambda d, m, s, w: f'the {ordinal(d.day)} of {m} {d.year}', lambda d, m, s, w: f'{ordinal(d.day)} {m} {d.year}',
    lambda d, m, s, w: f'{m} {ordinal(d.day)}, {d.year}', lambda d, m, s, w: f'{d.day:02} {s} {d.year}',
    lambda d, m, s, w: f'{s} {d.day}, {d.year}', lambda d, m, s, w: f'{w}, {d.day} {m} {d.year}',
    lambda d, m, s, w: f'{w} {m} {d.day}, {d.year}', lambda d, m, s, w: f'{d.day:02}-{s}-{d.year}',
    lambda d, m, s, w: f'{d.year}/{d.month:02}/{d.day:02}', lambda d, m, s, w: f'{ordinal(d.day)} of {s} {d.year}']
FR_FORMS = [
    lambda d, m, s, w: f"le {'1er' if d.day == 1 else d.day} {m} {d.year}",
    lambda d, m, s, w: f"le {w} {'1er' if d.day == 1 else d.day} {m} {d.year}",
    lambda d, m, s, w: f"le {d.day:02} {s} {d.year}", lambda d, m, s, w: f'le {d.year}-{d.month:02}-{d.day:02}',
    lambda d, m, s, w: f"le {d.day:02}/{d.month:02}/{d.year}" if d.day > 12 else FR_FORMS[0](d, m, s, w)]
ZH_FORMS = [
    lambda d, w: f'{d.year}年{d.month}月{d.day}日', lambda d, w: f'{d.year}年{d.month}月{d.day}号',
    lambda d, w: f'{d.year}年{d.month:02}月{d.day:02}日',
    lambda d, w: f'{d.year}年{d.month}月{d.day}日（星期{w}）', lambda d, w: f'{d.year}/{d.month:02}/{d.day:02}',
    lambda d, w: ''.join(HAN[int(c)] for c in str(d.year)) + f'年{han_number(d.month)}月{han_number(d.day)}日']

FRAMES = dict(
    en='''The {p} was signed on {d}.|We moved into the old {b} on {d}.|Her passport runs out on {d}
Please send the {p} before {d}.|{d} was the day the {b} opened.
Deadline for the {p}: {d}|I was born on {d} in a small village.|He has been off sick since {d}.
The {p} expires {d}, so renew it in time.|Invoice dated {d}, not yet paid
They got married on {d}, it rained all day.|On {d} a storm took the roof off the {b}.|Can you book the {b} for {d}?
The man with the {x} left at noon on {d}.|My lease ends on {d} and I need a flat.
According to the {p}, it happened on {d}.|Minutes of the meeting held on {d}|Valid from {d} until further notice
Tickets for the {b} go on sale {d}.|Our records show a payment on {d}.
Grandpa bought the {x} on {d} for next to nothing.|Exam: {d}, room 204, bring the {p}
The {b} will be closed from {d} for repairs.|Nobody has seen the {x} since {d}.|We landed in Nairobi on {d}.
Date of birth: {d}|Best before {d}|The museum lent us the {x} on {d}.|The {x} came back from the workshop on {d}.
She wrote the first page of the {p} on {d}.
Could we talk about the {p} on {d}, in the afternoon?|Photo taken {d}, behind the {b}
The {p} was published on {d} in Vienna.|Filed by the clerk: {d}|The new {p} takes effect on {d}.
It was {d} when the lights went out.|Your appointment at the {b} is on {d}.|By {d} the {b} must be empty.
Released {d} under a free licence|I quit smoking on {d}!
The judge set {d} for the hearing about the {x}.|The ship reached Lisbon {d} with a broken {x}.
The twins turn ten on {d}.|Next inspection of the {b} due {d}|On {d}, the {x} changed hands for the third time.''',
    fr='''Le contrat a été signé {d}.|Elle est née {d} à Nantes.|Nous avons déménagé {d}.
La réunion sur {x} aura lieu {d}.|Merci d'envoyer {x} avant {d}
{d}, on a perdu {x} dans le train.|Mon passeport expire {d}.|Ils se sont mariés {d} sous la pluie.
Rendez-vous pour {x} : {d}|Facture du mois, datée : {d}
Le musée a prêté {x} {d}.|On se revoit {d}, n'oublie pas {x} !|{x} : livraison prévue {d}
Le magasin ferme {d} pour travaux.|L'examen commence {d} à huit heures.
Depuis {d}, personne n'a vu {x}.|Ma grand-mère a acheté {x} {d}.|La loi entre en vigueur {d}.
J'ai rendu {x} à la mairie {d}.|Les billets seront en vente {d}
Paul est parti {d} avec {x}.|Inscription ouverte jusqu'au soir : {d}|Le bail se termine {d}.
La tempête du siècle, c'était {d}.|Photo prise {d} devant la gare''',
    zh='''合同于{d}签署。|她{d}出生在成都。|请在{d}之前寄出{x}。|我们{d}搬进了新家。|会议定于{d}举行。
护照有效期至{d}|{x}将于{d}送到。|他从{d}起一直在上海工作。|发票日期：{d}|{d}那天下了一场大雪。
展览{d}开幕，别忘了带{x}。|我爷爷{d}买了{x}。|考试时间是{d}上午九点。|商店{d}起停业装修。|{d}以后再也没人见过{x}。
他们{d}在海边结了婚。|新规定自{d}起施行。|预约{x}的日子改到{d}了。|照片拍摄于{d}，地点是火车站。|飞机{d}晚上降落在广州。
报名截止日期为{d}，请带上{x}|{d}，图书馆归还了{x}。|双胞胎{d}满十岁。|租约{d}到期，钥匙和{x}要交回。|本软件{d}发布''')
THINGS = dict(
    x='piano boiler telescope tractor printer sculpture violin mast engine radio'.split(),
    b='bridge library castle theatre school chapel lighthouse tunnel harbour archive greenhouse'.split(),
    p='contract report agreement licence novel treaty manual statute timetable budget'.split(),
    fr=["le rapport", "la voiture", "les clés", "le piano", "la carte", "le dossier", "la tente", "le vélo", "la lampe",
        "le tableau", "les photos", "la montre", "l'armoire", "le roman", "la caméra"],
    zh='报告|钥匙|钢琴|地图|相机|自行车|手表|小说|行李|申请表|帐篷|台灯'.split('|'))

def write_date(rng, day, language):
    if language == 'zh': return rng.choice(ZH_FORMS)(day, DAYS['zh'][day.weekday()])
    names = MONTHS[language][day.month-1], SHORT[language][day.month-1], DAYS[language][day.weekday()]
    return rng.choice(EN_FORMS if language == 'en' else FR_FORMS)(day, *names)

def one_date(rng, language):
    day = datetime.date(1960, 1, 1) + datetime.timedelta(days=rng.randrange(28_000))   # 1960 to 2036
    frame = rng.choice(FRAMES[language].replace('\n', '|').split('|'))
    text = frame.replace('{d}', write_date(rng, day, language))
    for kind in 'xbp': text = text.replace(f'{{{kind}}}', rng.choice(THINGS[kind if language == 'en' else language]))
    return dict(text=text[0].upper() + text[1:], iso_date=day.isoformat(), language=language)

def dates(rng):
    parts = ('en', 300), ('fr', 150), ('zh', 150)
    return [row for lang, n in parts for row in distinct(lambda: one_date(rng, lang), n, 'text')]

# ---------------------------------------------------------------- quantities
UNITS = [ # written forms (one, many), symbol, things one measures in it
    ('kilo kilos|kilogram kilograms|kg kg', 'kg', 'flour|potatoes|gravel|apples|cement|clay'),
    ('gram grams|gramme grammes|g g', 'g', 'sugar|yeast|saffron|butter|gold'),
    ('litre litres|liter liters|l l', 'l', 'milk|petrol|paint|water|cider'),
    ('millilitre millilitres|ml ml', 'ml', 'cream|vanilla extract|ink|syrup'),
    ('kilometre kilometres|kilometer kilometers|km km', 'km', 'road|track|pipeline'),
    ('metre metres|meter meters|m m', 'm', 'rope|cable|fabric|fence'),
    ('centimetre centimetres|cm cm', 'cm', 'ribbon|snow|copper wire'),
    ('hour hours|hr hrs', 'h', 'sleep|training|driving'),
    ('minute minutes|min mins', 'min', 'silence|stirring|waiting'),
    ('second seconds|sec secs', 's', 'delay|countdown'),
    ('percent percent|per cent per cent|% %', '%', 'alcohol|interest|salt')]
PHRASES = '''{q} of {x}|I need {q} of {x}, please|roughly {q} of {x}|put in {q} of {x}|we had {q} of {x} left
the label says {q} of {x}|exactly {q} of {x}
is {q} of {x} enough?|order {q} of {x} for Monday|there was {q} of {x} too much|he asked for {q} of {x}
up to {q} of {x}|{q} of {x} and not more
make that {q} of {x}|they measured {q} of {x}|after {q} of {x} we stopped|no less than {q} of {x}|it takes {q} of {x}
{x}: {q}|{x}, {q}|spare us {q} of {x} if you can'''
ONES = ('zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen '
        'seventeen eighteen nineteen').split()
TENS = 'x x twenty thirty forty fifty sixty seventy eighty ninety'.split()

def words(n):
    if n < 20: return ONES[n]
    if n < 100: return TENS[n//10] + (f'-{ONES[n % 10]}' if n % 10 else '')
    return f'{ONES[n//100]} hundred' + (f' and {words(n % 100)}' if n % 100 else '')

def amount(rng, one, many):
    "An amount as people write it, and the number it stands for."
    n, half = rng.randint(2, 12), rng.choice([(.5, 'a half'), (.25, 'a quarter'), (.75, 'three quarters')])
    whole = rng.randint(2, 99)
    hundred = rng.randint(101, 950)
    a = 'an' if one in ('hour', 'hr') else 'a'
    return rng.choice([
        (f'{words(whole)} {many}', whole), (f'{whole} {many}', whole), (f'{words(hundred)} {many}', hundred),
        (f'{n} {many} and {half[1]}', n + half[0]), (f'{words(n)} and {half[1]} {many}', n + half[0]),
        (f'{n},{rng.randint(1, 9)} {many}', None), (f'half {a} {one}', .5), (f'a quarter of {a} {one}', .25),
        (f'three quarters of {a} {one}', .75), (f'one and a half {many}', 1.5), (f'a dozen {many}', 12),
        (f'a couple of {many}', 2), (f'1,{hundred} {many}', 1000 + hundred), (f'{n}.{rng.randint(1, 9)} {many}', None)])

def one_quantity(rng):
    names, symbol, things = rng.choice(UNITS)
    pair = rng.choice(names.split('|'))
    one, many = ('per cent', 'per cent') if pair.startswith('per cent') else pair.split()
    text, value = amount(rng, one, many)
    if one in (symbol, '%') and text.startswith(('half', 'a ', 'three q')): return None   # nobody writes "half a kg"
    if value is None: value = float(text.split()[0].replace(',', '.'))
    if symbol == '%' and (value > 100 or text.startswith(('half', 'a quarter of', 'three quarters of'))): return None
    phrase = rng.choice(PHRASES.replace('\n', '|').split('|')).replace('{q}', text)
    phrase = phrase.replace('{x}', rng.choice(things.split('|')))
    return dict(phrase=phrase, normalised=f'{value:g} {symbol}')

def quantities(rng): return distinct(lambda: one_quantity(rng), 400, 'phrase')

# ---------------------------------------------------------------- fields
FIRST = ('Amara Ben Carla Dmitri Elif Farid Greta Hugo Ines Jonas Kemal Lucia Mateo Nadia Oskar Priya Quentin Rosa '
         'Sven Tala Umut Vera Wen Yara Zoe').split()
LAST = ('Okafor Lindqvist Moreau Petrov Santos Yilmaz Haddad Schulz Keller Nakamura Rossi Novak Byrne Costa Dubois '
        'Eriksen Fofana Gupta Horvat Iversen').split()
ITEMS = '''desk lamp|rain jacket|coffee grinder|yoga mat|bread tin|travel kettle|wool blanket|hiking boots|phone case
garden hose|picture frame|tea towels|water filter|guitar strings|chess set
bicycle pump|wall clock|paint brushes|pillow cover|spice rack'''.replace('\n', '|').split('|')
MAILS = '''Hello, my order {o} ({i}) has not arrived yet. {n}
Where is the {i} I ordered? The number is {o}. Thanks, {n}|{n} here. I would like to return the {i} from order {o}.
Dear team, {o} was meant to be a gift. Please send the {i} to my office instead. Kind regards, {n}
Order no. {o}: the {i} came broken. Regards {n}|Hi, this is {n}, can I still cancel the {i}? It's order {o}
I am {n} and I paid twice for order {o}, the {i}.|My name is {n}. Could you change the colour of the {i} in {o}?
The {i} is great, but order {o} said two of them. Best, {n}
Good morning, I have a question on the {i} (order {o}). Yours, {n}|Re: {o}. You sent me the wrong {i}! {n}
Please add a gift note to the {i}, reference {o}. Signed {n}
Is the {i} under warranty? I bought it as order {o}. Greetings from {n}
{o} - still waiting for the {i} after three weeks. {n}
Thank you for the quick delivery of the {i}! Order {o} was perfect. {n}
Ordered by {n}: {i}, number {o}. Please confirm.
Can somebody call me about {o}? The {i} has no instructions with it. {n}
To whom it may concern: the {i} in my parcel {o} is scratched. Sincerely, {n}
I'd like an invoice for {o}. It was a {i}, and the name on it should be {n}.
Your driver left the {i} with a neighbour who denies it. My reference is {o}, my name {n}.
Quick one: does order {o} include batteries? I mean the {i}. Cheers, {n}
On behalf of {n}, I ask for a replacement of the {i} (see {o}).'''

def one_mail(rng):
    code = rng.choice('ABCDEFGHKLMNPRSTW') + rng.choice('ABCDEFGHKLMNPRSTW')
    record = dict(name=f'{rng.choice(FIRST)} {rng.choice(LAST)}', order=f'{code}-{rng.randint(1000, 99999)}',
                  item=rng.choice(ITEMS))
    mail = rng.choice(MAILS.replace('\n', '|').split('|'))
    for mark, key in (('{n}', 'name'), ('{o}', 'order'), ('{i}', 'item')): mail = mail.replace(mark, record[key])
    return dict(message=mail, record=json.dumps(record, ensure_ascii=False))

def fields(rng): return distinct(lambda: one_mail(rng), 300, 'message')

# ---------------------------------------------------------------- files
def distinct(make, n, *keys, most=.6):
    "`n` rows from `make`, no two with more than `most` of the character 5-grams of `keys` in common."
    rows, seen = [], []
    grams = lambda t: {t[i:i+5] for i in range(max(1, len(t)-4))}
    while len(rows) < n:
        row = make()
        if row is None: continue
        g = grams(' '.join(row[k] for k in keys))
        if any(len(g & h) > most*len(g | h) for h in seen): continue
        rows.append(row)
        seen.append(g)
    return rows

def as_csv(rows):
    out = io.StringIO(newline='')
    writer = csv.DictWriter(out, list(rows[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()

def as_jsonl(rows): return ''.join(json.dumps(r, ensure_ascii=False) + '\n' for r in rows)

def files():
    "Every file that this program answers for: path -> text."
    made = {'dates/data.csv': as_csv(dates(random.Random(1))),
            'quantities/data.csv': as_csv(quantities(random.Random(2))),
            'fields/data.jsonl': as_jsonl(fields(random.Random(3)))}
    for seed, (name, (make, n, keys)) in enumerate(MAKERS.items(), 4):
        rng = random.Random(seed)
        made[f'{name}/data.csv'] = as_csv(distinct(lambda: make(rng), n, *keys))
    for card in sorted(SETS.glob('*/card.json')):
        folder = card.parent.name
        data = next((k for k in made if k.startswith(f'{folder}/')), f'{folder}/data.csv')
        text = made.get(data) or (SETS/data).read_bytes().decode('utf-8')
        rows = len(list(csv.reader(io.StringIO(text)))) - 1 if data.endswith('.csv') else text.count('\n')
        content = json.loads(card.read_text('utf-8')) | dict(rows=rows, bytes=len(text.encode('utf-8')))
        made[f'{folder}/card.json'] = json.dumps(content, ensure_ascii=False, indent=1) + '\n'
    return made

def main(check):
    wrong = []
    for name, text in files().items():
        path, data = SETS/name, text.encode('utf-8')
        if path.is_file() and path.read_bytes() == data: continue
        wrong.append(name)
        if not check: path.write_bytes(data)
    verb = 'differs' if check else 'written'
    print(f"{verb}: {', '.join(wrong)}" if wrong else 'all sets are as their program makes them')
    return int(check and bool(wrong))

if __name__ == '__main__': sys.exit(main('--check' in sys.argv[1:]))
