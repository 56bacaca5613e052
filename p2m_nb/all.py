"""Everything for a notebook: `from p2m_nb.all import *`. Written by hand, and without `__all__`: what is imported here is given."""
from p2m_nb.base.core import Curated, Example, Examples, P2MError, PromptSpec, Splits, setting, settings
from p2m_nb.base.store import CallStore, Run
from p2m_nb.base.text import language_of, near_duplicates, normalise
from p2m_nb.base.metrics import (
    Metric, Score, accuracy, as_evaluate, confusion, exact_match, exact_match_normalised, from_evaluate,
    headline_metric, macro_f1, micro_f1, paired_bootstrap, paired_test, pearson, per_label, spearman, wilson,
)
from p2m_nb.base.overlap import bleu, bleu_char, chrf, rouge_1_score, rouge_2_score, rouge_l_score, token_f1
from p2m_nb.base.calibration import calibration_error, reliability
from p2m_nb.base.ui import Panel, repair_notebook
from p2m_nb.base.lm import LM, Completion, Meter, Request
from p2m_nb.base.client import OpenAILM
from p2m_nb.base.local import LocalLM, install_weights, load_embedder, load_lm
from p2m_nb.base.similarity import bert_score
from p2m_nb.base.search import Index
from p2m_nb.data.parse import PromptPanel, parse_prompt
from p2m_nb.data.template import Template, Verbalizer
from p2m_nb.data.check import check_rows, checks
from p2m_nb.data.catalog import Card, Hit, Hits, bundled_catalog, example_folder, folder_catalog, read_examples, read_table
from p2m_nb.data.retrieve import load_datasets, search_datasets
from p2m_nb.data.pick import DatasetPanel
from p2m_nb.data.program import run_program
from p2m_nb.data.transform import propose_program, transform_dataset
from p2m_nb.data.steer import propose_attributes
from p2m_nb.data.generate import GeneratePanel, estimate, generate
from p2m_nb.data.judge import annotate
from p2m_nb.data.curate import curate, split
from p2m_nb.data.review import CuratePanel
from p2m_nb.model.train import fit_loop
from p2m_nb.model.student import Student
from p2m_nb.model.panel import TrainPanel
from p2m_nb.model.causal import CausalStudent
from p2m_nb.model.seq2seq import Seq2SeqStudent
from p2m_nb.model.classifier import ClassifierStudent
from p2m_nb.model.base import search_models
from p2m_nb.model.choose import ModelPanel, committee, load_student, student_for
from p2m_nb.model.tune import tune_student
import p2m_nb.result.overview as _overview   # hits, rows and splits get their plot()
from p2m_nb.result.report import Report
from p2m_nb.result.evaluate import compare, evaluate_model
from p2m_nb.result.inspect import EvaluatePanel
from p2m_nb.result.curve import learning_curve
from p2m_nb.result.demo import DemoPanel
from p2m_nb.result.export import save_model
from p2m_nb.result.push import push_to_hub
from p2m_nb.result.serve import serve
from p2m_nb.pipeline import Result, plan, run_pipeline
