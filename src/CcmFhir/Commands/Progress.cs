using System.Globalization;
using CcmFhir.MonthEnd;

namespace CcmFhir.Commands;

/// <summary>Progress of long work on one line of a terminal; silent where the error output is a file or a pipe.</summary>
internal sealed class Progress : IProgress<CloseProgress>, IDisposable
{
    private readonly Lock gate = new();
    private readonly string what;
    private readonly int all;
    private readonly bool shown = !Console.IsErrorRedirected;
    private int done;
    private int percent = -1;

    private Progress(string what, int all) => (this.what, this.all) = (what, all);

    /// <summary>Starts.</summary>
    /// <param name="what">What is being done.</param>
    /// <param name="all">How many steps; 0 where each report says it.</param>
    public static Progress Start(string what, int all) => new(what, all);

    /// <summary>One step is done.</summary>
    public void Step() => Report(new CloseProgress(Interlocked.Increment(ref done), all));

    /// <inheritdoc/>
    public void Report(CloseProgress value)
    {
        if (!shown || value.All == 0)
        {
            return;
        }
        lock (gate)
        {
            var now = (int)(100L * value.Done / value.All);
            if (now > percent)
            {
                percent = now;
                Console.Error.Write(
                    string.Create(CultureInfo.InvariantCulture, $"\r{what} {value.Done} of {value.All} ({now} %)")
                );
            }
        }
    }

    /// <summary>Ends the line.</summary>
    public void Dispose()
    {
        if (shown && percent >= 0)
        {
            Console.Error.Write("\r" + new string(' ', 60) + "\r");
        }
    }
}
