"""
This machine as a provider: for each type of node something that really makes the medium, the same for the same seed, without a key or a network.

It is labelled as what it is: a sample writer, a drawing program, a formant voice, a small synthesizer, ffmpeg. Where to look next: adapter.py for which
function does which type; text.py, picture.py, looks.py, voice.py, music.py, noises.py, film.py and presenter.py for the functions.
"""
