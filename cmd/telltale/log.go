package main

import (
	"io"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger returns the operator's log: warnings, and with verbose what goes on. It has
// no times in its console form, which is read while it is written.
func newLogger(w io.Writer, format string, verbose bool) *zap.Logger {
	level := zapcore.WarnLevel
	if verbose {
		level = zapcore.InfoLevel
	}
	return zap.New(newCore(w, format, format == "json", level)).Named("telltale")
}

// A line that repeats is logged a few times in a while and then left out.
const (
	repeatWhile = 10 * time.Second
	repeatLines = 10
)

// newDaemonLogger returns the log of a daemon: what goes on, with times, and repeating
// lines at a bounded rate.
func newDaemonLogger(w io.Writer, format string, verbose bool) *zap.Logger {
	level := zapcore.InfoLevel
	if verbose {
		level = zapcore.DebugLevel
	}
	core := newCore(w, format, true, level)
	return zap.New(zapcore.NewSamplerWithOptions(core, repeatWhile, repeatLines, 0)).Named("telltale")
}

func newCore(w io.Writer, format string, times bool, level zapcore.Level) zapcore.Core {
	conf := zapcore.EncoderConfig{
		MessageKey: "msg", LevelKey: "level", NameKey: "logger", LineEnding: "\n",
		EncodeLevel: zapcore.LowercaseLevelEncoder, EncodeTime: zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder, ConsoleSeparator: ": ",
	}
	if times {
		conf.TimeKey = "ts"
	}
	enc := zapcore.NewConsoleEncoder(conf)
	if format == "json" {
		enc = zapcore.NewJSONEncoder(conf)
	}
	return zapcore.NewCore(enc, zapcore.AddSync(w), level)
}
