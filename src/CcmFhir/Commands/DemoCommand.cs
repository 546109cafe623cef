using System.CommandLine;
using CcmFhir.Demo;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir demo</c>: a month of care management turned into claims, on this machine alone.</summary>
internal static class DemoCommand
{
    public static Command Build(TimeProvider clock)
    {
        var exit = new Option<bool>("--exit")
        {
            Description = "End when the month is done, rather than leave the pages up.",
        };
        var urls = new Option<string>("--urls")
        {
            Description = "Address of the pages.",
            DefaultValueFactory = _ => Access.Addresses.Default,
        };
        var command = new Command("demo", "A month of sample patients: posted as an EHR would, closed, and claimed.")
        {
            exit,
            urls,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                try
                {
                    await DemoMonth.RunAsync(
                        parsed.GetRequiredValue(urls),
                        stayUp: !parsed.GetValue(exit),
                        clock,
                        parsed.InvocationConfiguration.Output,
                        cancel
                    );
                    return 0;
                }
                catch (Exception fault)
                    when (fault
                            is IOException
                                or InvalidDataException
                                or InvalidOperationException
                                or HttpRequestException
                    )
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(
                        $"The demo could not run: {fault.Message}"
                    );
                    return 2;
                }
            }
        );
        return command;
    }
}
