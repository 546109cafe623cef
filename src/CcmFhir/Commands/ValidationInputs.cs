using CcmFhir.Validation;

namespace CcmFhir.Commands;

/// <summary>One document to validate: a file, one line of an NDJSON file, or standard input.</summary>
/// <param name="File">Path as given, with forward slashes; <c>-</c> for standard input.</param>
/// <param name="Bytes">The document; empty when <paramref name="Fault"/> says why.</param>
/// <param name="FirstLine">Line of the file on which it begins, from 1.</param>
/// <param name="MayBeSomethingElse">Found in a folder: JSON without resourceType is passed over instead of refused.</param>
/// <param name="Fault">Why it was not read; null when it was.</param>
internal sealed record ValidationInput(
    string File,
    byte[] Bytes,
    int FirstLine,
    bool MayBeSomethingElse,
    JsonFault? Fault
);

/// <summary>The documents behind the paths of a command line, read one by one.</summary>
internal sealed class ValidationInputs
{
    private static readonly string[] Extensions = [".json", ".xml", ".ndjson"];

    private readonly IReadOnlyList<(string Path, bool IsFound)> files;
    private readonly FhirJsonLimits limits;

    private ValidationInputs(IReadOnlyList<(string, bool)> files, FhirJsonLimits limits) =>
        (this.files, this.limits) = (files, limits);

    /// <summary>Documents, as far as known before reading: 0 where lines of a file are documents.</summary>
    public int Count => files.Any(file => IsLines(file.Path) || file.Path == "-") ? 0 : files.Count;

    /// <summary>Finds the files; folders with everything below them, in ordinal order.</summary>
    /// <exception cref="InvalidDataException">A path is not there.</exception>
    public static ValidationInputs Of(IEnumerable<string> paths, FhirJsonLimits limits)
    {
        var files = new List<(string, bool)>();
        foreach (var path in paths)
        {
            if (path == "-" || File.Exists(path))
            {
                files.Add((path, false));
            }
            else if (Directory.Exists(path))
            {
                files.AddRange(
                    Directory
                        .EnumerateFiles(path, "*", SearchOption.AllDirectories)
                        .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))
                        .Order(StringComparer.Ordinal)
                        .Select(file => (file, true))
                );
            }
            else
            {
                throw new InvalidDataException($"There is no file or folder '{path}'.");
            }
        }
        return new ValidationInputs(files, limits);
    }

    /// <summary>The documents in the order of the paths.</summary>
    public IEnumerable<ValidationInput> Read()
    {
        foreach (var (path, isFound) in files)
        {
            if (path == "-")
            {
                foreach (var input in StandardInput())
                {
                    yield return input;
                }
            }
            else if (IsLines(path))
            {
                foreach (var input in Lines(File.OpenRead(path), Shown(path)))
                {
                    yield return input;
                }
            }
            else
            {
                yield return Whole(path, isFound);
            }
        }
    }

    private static bool IsLines(string path) => path.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase);

    private static string Shown(string path) => path.Replace('\\', '/');

    private ValidationInput Whole(string path, bool isFound)
    {
        var length = new FileInfo(path).Length;
        return length > limits.MaxBytes
            ? TooLarge(Shown(path), 1, length)
            : new ValidationInput(Shown(path), File.ReadAllBytes(path), 1, isFound, null);
    }

    private ValidationInput TooLarge(string file, int line, long length) =>
        new(
            file,
            [],
            line,
            MayBeSomethingElse: false,
            new JsonFault("json-size", $"The document has {length} bytes; at most {limits.MaxBytes} are read.", 0, 1, 1)
        );

    /// <summary>One document, or, where the first line is one by itself and more follow, NDJSON.</summary>
    private IEnumerable<ValidationInput> StandardInput()
    {
        using var input = Console.OpenStandardInput();
        using var buffer = new MemoryStream();
        var chunk = new byte[81920];
        for (int read; (read = input.Read(chunk)) > 0; )
        {
            if (buffer.Length + read > limits.MaxBytes)
            {
                return [TooLarge("-", 1, buffer.Length + read)];
            }
            buffer.Write(chunk, 0, read);
        }
        var bytes = buffer.ToArray();
        var lineEnd = bytes.AsSpan().IndexOf((byte)'\n');
        var isLines =
            lineEnd > 0
            && bytes.AsSpan(lineEnd).ContainsAnyExcept(" \t\r\n"u8)
            && bytes[0] == '{'
            && FhirJson.Parse(bytes[..lineEnd], out _, limits) is not null;
        return isLines ? Lines(new MemoryStream(bytes), "-") : [new ValidationInput("-", bytes, 1, false, null)];
    }

    private IEnumerable<ValidationInput> Lines(Stream stream, string file)
    {
        using (stream)
        {
            var number = 1;
            var line = new MemoryStream();
            var chunk = new byte[81920];
            for (int read; (read = stream.Read(chunk)) > 0; )
            {
                var rest = chunk.AsMemory(0, read);
                while (rest.Span.IndexOf((byte)'\n') is >= 0 and var end)
                {
                    Append(line, rest.Span[..end]);
                    if (Line(line, file, number) is { } input)
                    {
                        yield return input;
                    }
                    line.SetLength(0);
                    number++;
                    rest = rest[(end + 1)..];
                }
                Append(line, rest.Span);
            }
            if (Line(line, file, number) is { } last)
            {
                yield return last;
            }
        }
    }

    private void Append(MemoryStream line, ReadOnlySpan<byte> part)
    {
        // One byte more than allowed is enough to know that there are too many.
        var room = limits.MaxBytes + 1L - line.Length;
        line.Write(part.Length > room ? part[..(int)room] : part);
    }

    private ValidationInput? Line(MemoryStream line, string file, int number)
    {
        var bytes = line.GetBuffer().AsSpan(0, (int)line.Length);
        return !bytes.ContainsAnyExcept(" \t\r"u8) ? null
            : bytes.Length > limits.MaxBytes ? TooLarge(file, number, bytes.Length)
            : new ValidationInput(file, bytes.ToArray(), number, false, null);
    }
}

/// <summary>What was found in one document.</summary>
/// <param name="Input">The document.</param>
/// <param name="Document">Its tree; null when it could not be read.</param>
/// <param name="Report">What was found; null for a file of a folder that holds no FHIR.</param>
internal sealed record ValidationResult(ValidationInput Input, FhirJson? Document, Report? Report)
{
    public bool HasErrors => Report is { IsValid: false };

    /// <summary><c>Patient/p1</c>, or the type alone; null when the document could not be read.</summary>
    public string? Resource =>
        Document?.Root["resourceType"u8].Text is { } type
            ? Document.Root["id"u8].Text is { } id
                ? $"{type}/{id}"
                : type
            : null;

    public static ValidationResult SomethingElse(ValidationInput input) => new(input, null, null);

    public static ValidationResult Unreadable(ValidationInput input, JsonFault fault) =>
        new(
            input,
            null,
            new Report(
                [
                    new Issue
                    {
                        Severity = Severity.Fatal,
                        Type = "structure",
                        Rule = fault.Rule,
                        Expression = "",
                        Text = fault.Text,
                        Line = fault.Line,
                        Column = fault.Column,
                    },
                ],
                []
            )
        );

    /// <summary>Line of an issue in the file, from 1.</summary>
    public int LineOf(Issue issue) => Math.Max(issue.Line, 1) + Input.FirstLine - 1;
}

/// <summary>What a writer has made of one result, ready to be written in its turn.</summary>
/// <param name="File">File, for those passed over.</param>
/// <param name="HasErrors">There are errors.</param>
/// <param name="IsPassedOver">The file holds no FHIR.</param>
/// <param name="Text">Text to write; empty for none.</param>
/// <param name="Errors">Number of errors.</param>
/// <param name="Warnings">Number of warnings.</param>
/// <param name="NotChecked">What was not checked.</param>
internal sealed record PreparedResult(
    string File,
    bool HasErrors,
    bool IsPassedOver,
    string Text,
    int Errors,
    int Warnings,
    IReadOnlyList<string> NotChecked
)
{
    public static PreparedResult Of(ValidationResult result, string text) =>
        new(
            result.Input.File,
            result.HasErrors,
            result.Report is null,
            text,
            result.Report?.Issues.Count(issue => issue.Severity <= Severity.Error) ?? 0,
            result.Report?.Issues.Count(issue => issue.Severity == Severity.Warning) ?? 0,
            result.Report?.NotChecked ?? []
        );
}

/// <summary>One form of output. <see cref="Prepare"/> runs on many threads, the rest on one.</summary>
internal interface IValidationWriter
{
    PreparedResult Prepare(ValidationResult result);

    Task WriteAsync(PreparedResult result);

    Task EndAsync();
}
