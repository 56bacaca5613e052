"""Rows of the five bundled sets that no demo is about; `make_sets.py` writes them.

A search that has only right sets to choose from proves nothing; these look alike and mean something else. All text is
put together from the phrases below, which were written for it.
"""

def lines(text): return [l.strip() for l in text.strip().replace('\n', '|').split('|') if l.strip()]
def capital(text): return text[0].upper() + text[1:]

def fill(rng, frame, words):
    "The frame with a word for each {slot}; a slot that stands twice gets two different words."
    taken = []
    while '{' in frame:
        name = frame[frame.index('{') + 1:frame.index('}')]
        word = rng.choice([w for w in words[name] if w not in taken])
        taken.append(word)
        frame = frame.replace(f'{{{name}}}', word, 1)
    return capital(frame)

# ---------------------------------------------------------------- short answers
TOWNS = lines('Aldermoor|Port Senna|Kilbrae|Västerholm|Montrouvel|Tarnow Hill|Lake Orrin|Quillay|Bramfield|Sandwick Bay')
PEOPLE = lines('''Ida Marsh|Tobias Renk|Leonor Vidal|Samir Doukali|Greta Holm|Pavel Sokol|Amina Conteh|Rufus Bell
Chiyo Tanabe|Marta Lind''')
TOPICS = [ # sentences with facts, and what is asked of them: question -> the slot that answers it
    ('''The {adj} bridge at {town} was finished in {year} after {n} years of work.|It was drawn by {person} and is built of {stone}.
Every {month} the {birds} nest under its middle arch.''',
     dict(year='When was the bridge finished?', person='Who drew the bridge?', stone='What is the bridge built of?',
          birds='Which birds nest under the arch?', n='How many years did the work take?')),
    ('''The ferry {ship} has crossed {water} since {year}.|She carries {n} passengers and, in summer, the mail for {town}.
Her captain, {person}, keeps {pet} on board.''',
     dict(ship='What is the ferry called?', water='What does the ferry cross?', n='How many passengers can she carry?',
          person='Who is the captain?', pet='Which animals live on board?', town='For which town does she take the mail?')),
    ('''{person} opened a small museum of {things} in {town} in {year}.|The oldest piece came from {place}.
Visitors pay nothing on the first {day} of a month.''',
     dict(things='What does the museum show?', town='Where is the museum?', place='Where did the oldest piece come from?',
          day='On which day of the week can one visit for free?', person='Who opened the museum?', year='When did the museum open?')),
    ('''The bakers of {town} make a {adj} bread with {grain} and {herb}.|According to an old account book, {person} sold the first one in {year}.
It is baked for {n} minutes and eaten with {cheese}.''',
     dict(grain='Which grain is in the bread?', herb='With which herb is the bread made?', n='For how many minutes is it baked?',
          cheese='With what is the bread eaten?', person='Who sold the first loaf?')),
    ('''Researchers at {town} followed {n} {animals} for a whole winter.|The animals slept through {month} and woke only to drink.
The study, led by {person}, was paid for by {payer}.''',
     dict(animals='Which animals were followed?', n='How many animals were followed?', person='Who led the study?',
          payer='Who paid for the study?', month='Through which month did the animals sleep?')),
    ('''A fire in {month} {year} destroyed the {house} of {town}.|Only the {part} was saved, thanks to {person}, who had smelled smoke from across the street.
Rebuilding took {n} months.''',
     dict(house='What did the fire destroy?', part='What was saved from the fire?', person='Who smelled the smoke?',
          n='How many months did rebuilding take?', year='In which year was the fire?')),
    ('''The railway between {town} and {place} climbs {n} metres on its way.|Until {year} its engines burned {fuel}; today they are electric.
At the highest station one can buy {things}.''',
     dict(n='How many metres does the railway climb?', fuel='What did the engines burn?', things='What is sold at the highest station?',
          year='Until when did the engines burn fuel?')),
    ('''Each {month}, {town} holds a race in which teams push {things} up the hill.|The record, {n} seconds, was set in {year} by a team of {trade}.
The winners receive {prize}.''',
     dict(things='What do the teams push?', n='What is the record, in seconds?', trade='What is the trade of the team with the record?',
          prize='What do the winners get?', month='In which month is the race?'))]
FACTS = dict(
    adj=lines('narrow|heavy|round|famous|plain|dark|curious'), town=TOWNS, person=PEOPLE, stone=lines('red sandstone|grey granite|oak and iron|brick|white limestone'),
    month=lines('January|March|April|June|August|October|November'), birds=lines('swifts|herons|wagtails|barn owls|jackdaws'),
    ship=lines('Morning Star|Grey Heron|Saint Olave|Lucky Anna|North Wind'), water=lines('the Sound of Orrin|Lake Vell|the mouth of the Senna|the Narrows|Grebe Lake'),
    pet=lines('two tortoises|a parrot|three cats|an old sheepdog|a pair of geese'), things=lines('clocks|buttons|wooden toys|maps|kites|bottles|cheese wheels|barrels|post cards'),
    place=lines('Lisbon|a barn in Wales|the island of Gotland|Cairo|Upper Vell|a shipwreck|Ghent'), day=lines('Sunday|Monday|Wednesday|Thursday|Saturday'),
    grain=lines('rye|barley|spelt|buckwheat|millet'), herb=lines('caraway|thyme|dill|rosemary|fennel'), cheese=lines('salted butter|goat cheese|plum jam|smoked fish|onion soup'),
    animals=lines('hedgehogs|dormice|brown bats|badgers|marmots'), payer=lines('a bank|the county|the national park|a maker of sleeping pills|a bird club'),
    house=lines('market hall|town hall|old brewery|girls\' school|paper mill'), part=lines('bell tower|west wall|library|wine cellar|stained glass'),
    fuel=lines('coal|peat|wood|heavy oil'), trade=lines('nurses|roofers|teachers|butchers|firefighters'), prize=lines('a ham|a silver spoon|free haircuts for a year|a young pig|a wreath of onions'))

def one_answer(rng):
    text, asked = rng.choice(TOPICS)
    fact = {k: rng.choice(v) for k, v in FACTS.items()} | dict(year=str(rng.randint(1702, 2014)), n=str(rng.randint(12, 96)))
    slot = rng.choice(list(asked))
    context = ' '.join(capital(s.format(**fact)) for s in lines(text))
    return dict(context=context, question=asked[slot], answer=fact[slot])

# ---------------------------------------------------------------- headlines
HEADLINES = dict(
    business='''{firm} cuts {n} jobs after weak quarter|{firm} to buy rival {firm} for {m} million|Shares of {firm} fall as {cost} get dearer
Inflation slows to {p} percent, central bank waits|{firm} recalls {n} {goods} over faulty parts|Strike at {firm} enters week {p}
Small shops struggle with rent as {cost} rise again|{firm} posts record profit on demand for {goods}|Tax on {goods} to double next year, minister says''',
    sport='''{club} stun {club} with goal in last minute|{name} wins {race} by {p} seconds|{name} out for season after knee operation
Rain stops play as {club} chase {n}|Coach of {club} quits after {p} straight defeats|{name}, {p}0, ends career with one more medal
{club} sign {name} from {club} on loan|Teenager {name} breaks national record in {race}|Fans of {club} march against ticket prices''',
    science='''{probe} sends first pictures of {body}|{animals} remember faces for years, study finds|Oldest {fossil} found in desert, {n} million years old
Telescope spots water on {body}|Why {animals} sing at night: team tests a new theory|New battery made of {stuff} lasts {p} times longer
{fossil} rewrites story of early {animals}|Ice core shows {n} years of volcanic ash|Physicists measure {stuff} with record precision''',
    politics='''Parliament votes on {law} tonight|Minister {name} resigns over {scandal}|Opposition demands inquiry into {scandal}
Mayor {name} promises {goods} for every school|Talks on {law} collapse after {p} hours|Poll puts {name} {p} points ahead before election
Court strikes down {law}|Coalition splits over {law}, early election likely|Senator {name} apologises for {scandal}''',
    culture='''{name} wins prize for novel about {theme}|Review: {theme} on stage, three hours too long|Lost painting of {theme} found in attic
Festival opens with film about {theme}|{name} returns with first album in {p} years|Museum gives back {fossil} taken in colonial times
Singer {name} cancels tour of {n} cities|City library buys letters of poet {name}|Opera on {theme} sells out in minutes''',
    weather='''Storm leaves {n} homes without power in {region}|Heat of 3{p} degrees expected in {region}|Snow closes {p} mountain passes overnight
River in {region} rises above flood mark|Fog delays flights, sunshine by noon|Driest {month} for {n} years worries {region}
Hail the size of eggs damages cars in {region}|Warm wind brings Sahara dust to {region}|First frost of the autumn due in {region}''',
    health='''Flu season starts early in {region}|New vaccine against {ill} passes trial with {n} people|Doctors warn of {ill} after {month} of cold
Hospital in {region} to close {p} wards|Half an hour of walking lowers risk of {ill}, study says|Pharmacies run short of drugs against {ill}
{p} things to know about {ill}|Nurses in {region} call for more staff|Coffee and {ill}: what {n} patients told researchers''',
    technology='''{firm} launches phone that folds {p} ways|Hackers steal data of {n} thousand users of {firm}|Update from {firm} drains batteries, users complain
Robot learns to fold {goods} by watching people|{firm} bets on chips made of {stuff}|Regulator fines {firm} for tracking children
Electric {goods} get {p} new rivals|Blackout at {firm} takes thousands of sites offline|Start-up teaches drones to find {animals}''')
NEWS = dict(
    firm=lines('Norvik|Halden Motors|Brightwell|Osmo|Delta Grain|Pallas Air|Corvane|Tiny Orchard|Steelmark|Umbra'), club=lines('Rovers|United|Harbour City|the Falcons|Northgate|the Wolves|Real Tormes'),
    name=lines('Okoye|Brandt|Lindahl|Ferreira|Mori|Castellano|Novak|Haddad|Ryan|Petrova'), race=lines('marathon|200 metres|downhill race|mountain stage|relay|freestyle final'),
    cost=lines('raw materials|energy bills|loans|wages|shipping rates'), goods=lines('bicycles|washing machines|laptops|buses|shirts|heaters|scooters'),
    probe=lines('Probe|Orbiter|Lander|Small satellite'), body=lines('Saturn\'s moon|Venus|a passing comet|the far side of the Moon|a distant planet'),
    animals=lines('crows|whales|octopuses|frogs|bats|bees'), fossil=lines('bird skull|stone axe|fern fossil|bronze mask|jaw bone'), stuff=lines('sodium|glass|graphene|neutrinos|hydrogen'),
    law=lines('pension reform|the water bill|budget|border treaty|data law|rent cap'), scandal=lines('expenses|missing files|holiday gifts|leaked letters|building permits'),
    theme=lines('two sisters|a lighthouse keeper|the last winter of the war|a village doctor|love and chess|a runaway horse'), region=lines('the north|coastal towns|the valley|the capital|the east|the highlands'),
    month=lines('February|April|May|July|September|December'), ill=lines('asthma|measles|heart disease|back pain|diabetes|insomnia'))

def one_headline(rng):
    topic = rng.choice(list(HEADLINES))
    words = NEWS | dict(n=[str(rng.randint(20, 900))], m=[str(rng.randint(12, 990))], p=[str(rng.randint(2, 9))])
    return dict(headline=fill(rng, rng.choice(lines(HEADLINES[topic])), words), topic=topic)

# ---------------------------------------------------------------- reviews
GOODS = { # what was bought: what may be good about it; what may be bad
    'kettle': ('boils in two minutes|sits firmly on its base|pours without a drip', 'takes forever to boil|smells of plastic|leaks at the lid'),
    'backpack': ('carries well even when full|has a pocket for everything|kept my books dry in a storm', 'tore at the seam in a week|has zips that jam|cuts into the shoulders'),
    'desk lamp': ('throws a warm even light|stands firm on any desk|dims down nicely', 'flickers after an hour|tips over at a touch|hums so loudly that I switched it off'),
    'pair of running shoes': ('fits like a glove|grips on wet leaves|still looks new after a winter', 'gave me blisters on day one|runs two sizes small|lost its sole in the rain'),
    'blender': ('crushes ice with ease|rinses clean in seconds|is quieter than my old one', 'burned out on frozen fruit|spills from the top|leaves lumps in everything'),
    'tent': ('went up in five minutes|stood through a gale|packs down small', 'let in water the first night|came with a bent pole|needs three people to put up'),
    'keyboard': ('feels crisp under the fingers|pairs with everything at once|has a battery that lasts for months', 'repeats letters at random|lost its print in weeks|drops the connection all day'),
    'umbrella': ('survived the coast in March|opens with one hand|fits into my coat', 'turned inside out in a breeze|rusted in a month|has a handle that came off'),
    'frying pan': ('lets eggs slide right off|heats evenly to the edge|is light enough for one hand', 'lost its coating by Easter|warped on the hob|burns everything in the middle'),
    'office chair': ('ended my back pain|rolls smoothly on carpet|was put together in ten minutes', 'sinks while I sit on it|squeaks at every move|arrived without its screws'),
    'alarm clock': ('wakes me gently|shows the time clearly at night|survived my toddler', 'loses ten minutes a day|cannot be heard from under a pillow|needs batteries every week'),
    'suitcase': ('glides over cobbles|holds far more than it seems|passed as cabin luggage each time', 'lost a wheel at the airport|cracked on its first flight|has a lock that opens by itself'),
    'bike light': ('lights the whole lane|charges in an hour|clips on without tools', 'goes dark at the first bump|lets in rain|died before the month was over'),
    'rug': ('feels soft and thick|hides every crumb|cleaned up well after spilled wine', 'sheds fluff all over|smelled of glue for weeks|is nothing like the colour in the photo'),
    'coffee grinder': ('grinds fine enough for espresso|makes hardly any dust|looks lovely on the shelf', 'jams on oily beans|sprays grounds everywhere|sounds like a drill'),
    'water bottle': ('keeps tea hot till evening|never leaked in my bag|is easy to scrub', 'tastes of metal|dented on its first fall|drips from the straw')}
OPENINGS = lines('''Bought this {x} in the spring and it {a}.|The {x} {a}.|Our third {x}, and this one {a}.|My new {x} {a}
A gift from my sister: a {x} that {a}.|This {x} {a}|Had the {x} for a month now. It {a}.|For the money, a {x} that {a}.''')
GOOD_END = lines('''It also {b}. Would buy again.|What is more, it {b}.|And it {b}, so five stars from me.|It {b} as well. Very happy.|Best of all, it {b}.''')
BAD_END = lines('''On top of that it {b}. Sent back.|It also {b}. Avoid.|And it {b}, no reply from the seller.|Worse, it {b}.|It {b} too. One star is one too many.''')
MIXED_END = lines('''But it {b}.|Sadly it {b}, so I am torn.|On the other hand it {b}.|Still, it {b}. Three stars.|Pity that it {b}.''')

def one_review(rng):
    thing = rng.choice(list(GOODS))
    good, bad = map(lines, GOODS[thing])
    sentiment = rng.choice(['positive', 'negative', 'mixed'])
    a, b = dict(positive=(good, good), negative=(bad, bad), mixed=rng.choice([(good, bad), (bad, good)]))[sentiment]
    first = rng.choice(a)
    end = rng.choice(dict(positive=GOOD_END, negative=BAD_END, mixed=MIXED_END)[sentiment])
    opening = rng.choice(OPENINGS).format(x=thing, a=first)
    opening += '' if opening.endswith('.') else '.'
    for vowel in ('office', 'alarm', 'umbrella'): opening = opening.replace(f' a {vowel}', f' an {vowel}')
    return dict(review=f"{opening} {end.format(b=rng.choice([t for t in b if t != first]))}", sentiment=sentiment)

# ---------------------------------------------------------------- paraphrases
SAME = [l.split(' = ') for l in '''The {who} missed the {time} bus. = The bus at {time} left without the {who}. = The {who} was too late for the bus at {time}.
The {who} sold {thing} to a neighbour. = A neighbour bought {thing} from the {who}.
It was raining when the {who} left for {place}. = The {who} set off for {place} in the rain.
Nobody in {place} has seen the {who} since {time}. = The {who} was last seen in {place} at {time}.
{n} people came to hear the {who} speak. = The talk of the {who} drew {n} listeners.
The {who} asked for the bill at {time}. = At {time} the {who} wanted to pay.
The {who} repaired {thing} without any help. = {thing} was mended by the {who} alone.
The road to {place} is closed until {time}. = Until {time} nobody can take the road to {place}.
The {who} has never been to {place}. = {place} is somewhere the {who} has yet to visit.
The {who} forgot {thing} on the train to {place}. = {thing} was left behind on the train to {place} by the {who}.
The shop in {place} opens at {time}. = One can shop in {place} from {time} on.
The {who} paid {n} pounds for {thing}. = {thing} cost the {who} {n} pounds.
The {who} is looking for {thing} everywhere. = Everywhere the {who} searches for {thing}.
Because of the noise the {who} moved to {place}. = The {who} went to live in {place} to escape the noise.
The {who} was given {thing} for a birthday. = Somebody made the {who} a birthday present of {thing}.
Two out of {n} answers were right, said the {who}. = The {who} found only two right answers among {n}.
The {who} would rather stay in {place} than travel. = Instead of travelling, the {who} prefers to stay in {place}.
The meeting with the {who} was moved to {time}. = The {who} will now be met at {time}.
The {who} let {thing} fall into the river. = {thing} slipped from the hands of the {who} into the river.
It took the {who} {n} minutes to reach {place}. = After {n} minutes the {who} arrived in {place}.'''.split('\n')]
PAIRS = dict(
    who=lines('doctor|tall girl|gardener|old teacher|pianist|postman|new pupil|twins\' mother|driver|young baker|detective'),
    thing=lines('a red bicycle|the wooden boat|two tickets|the broken radio|an umbrella|the green sofa|her violin|a box of tools'),
    place=lines('Dover|the village|Lyon|the next valley|Helsinki|the old harbour|Kyoto|the city'),
    time=lines('six|half past nine|noon|a quarter to four|midnight|ten'))

def one_pair(rng):
    ways = rng.choice(SAME)
    pick = lambda: {k: rng.choice(v) for k, v in PAIRS.items()} | dict(n=str(rng.randint(3, 90)))
    words, first = pick(), rng.randrange(len(ways))
    same = rng.random() < .5
    other = words if same else words | {k: w for k, w in pick().items() if w != words[k] and rng.random() < .7}
    second = ways[(first + 1) % len(ways)] if same or rng.random() < .6 else rng.choice(rng.choice(SAME))
    a, b = (capital(t.format(**w)) for t, w in ((ways[first], words), (second, other)))
    if not same and b in [capital(t.format(**words)) for t in ways]: return None
    return dict(sentence_1=a, sentence_2=b, paraphrase='yes' if same else 'no')

# ---------------------------------------------------------------- small talk
CHATS = [l.split(' > ') for l in '''I baked {food} for the first time {when}. > Lovely! Is there any {food} left for me?
{when} I tried {hobby} and fell asleep. > {hobby}? That sounds restful, to be fair.
My {kin} has taken up {hobby}. > Good for your {kin}. I never had the patience for {hobby}.
We spent {when} in {spot}. > Oh nice, how was {spot}?
I can't find anything worth watching {when}. > Then perhaps it is a night for {hobby}.
Do you like {food}? > Only when somebody else makes the {food}.
The queue in {spot} was endless. > It always is in {spot}. What did you queue for?
My {kin} snores louder than a {pet}. > Poor you. Earplugs, or a {pet} of your own?
I dreamt of a {pet} that spoke French. > What did the {pet} say?
Guess who I met in {spot}! > Not your {kin} again?
{food} or {food} tonight? > Easy, {food}.
I am thinking of getting a {pet}. > A {pet} is a lot of work, but they are good company.
{when} I walked all the way to {spot}. > On foot to {spot}? Your shoes must be finished.
My {kin} sends greetings from {spot}. > How kind. Is the weather good there?
I burned {food} and the alarm went off. > Oh no. At least you can laugh about the {food} now.
Everyone at work talks about {hobby}. > Here too. I nod and think of {food}.
I've been humming the same tune since {spot}. > Go on, hum it. I might know it.
What do you do {when}? > Nothing much. {hobby}, if the rain keeps up.
My {kin} turned {age} {when}. > {age} already! Give my best to your {kin}.
I lost a bet and now I must try {hobby}. > What was the bet about?
The {pet} next door looks at me in a strange way. > Perhaps the {pet} smells {food} on you.
Would you rather live in {spot} or near {spot}? > Anywhere with {food} around the corner.
I finally threw out my old {pet} calendar. > After how many years?
My {kin} says I talk too much about {food}. > You do, but I like it.
I bought {age} candles by mistake. > Then we shall have a very long dinner.
I think I am getting too old for {hobby}. > Nonsense, my {kin} started {hobby} at {age}.
{when} the lights went out and we told stories. > That sounds better than {hobby}.
Have you ever been to {spot}? > Once, with my {kin}. We only remember the {food}.
The new neighbour plays the trumpet {when}. > Lend them a book on {hobby}.
I learned to say hello in {age} languages. > Go on then, surprise me.'''.split('\n')]
TALK = dict(
    food=lines('apple cake|lentil soup|dumplings|paella|rye bread|pancakes|curry|pickled eggs'), hobby=lines('knitting|bird watching|chess|yoga|line dancing|pottery|stamp collecting|fishing'),
    kin=lines('uncle|grandmother|brother|niece|cousin|father-in-law|flatmate'), spot=lines('the garden centre|Brighton|the swimming pool|the market|Vienna|the dentist\'s|the park'),
    pet=lines('goat|parrot|poodle|hamster|cat|hedgehog'), when=lines('last night|on Sunday|this morning|over the holidays|yesterday|at the weekend'))

def one_chat(rng):
    words = {k: rng.sample(v, len(v)) for k, v in TALK.items()} | dict(age=[str(rng.randint(19, 97))])
    remark, reply = rng.choice(CHATS)
    for name, some in words.items():
        for i in range(remark.count(f'{{{name}}}')): remark = remark.replace(f'{{{name}}}', some[i % len(some)], 1)
        reply = reply.replace(f'{{{name}}}', some[0])
    before = rng.choice(['']*3 + lines('You know what?|Morning!|Hey.|So.|By the way.|Funny thing.|Honestly.|Hello there.'))
    return dict(remark=f'{before} {capital(remark)}'.strip(), reply=capital(reply))

# set -> one row, how many, what must differ, at most how much two may share
MAKERS = dict(short_answers=(one_answer, 220, ('context', 'question')), headlines=(one_headline, 240, ('headline',)),
              product_reviews=(one_review, 210, ('review',)), paraphrases=(one_pair, 220, ('sentence_1', 'sentence_2')),
              small_talk=(one_chat, 210, ('remark',)))
